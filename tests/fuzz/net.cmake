# What a client of a WebSocket sends: its request and its frames.
iotsky_fuzz(ws_frames SOURCES ws_frames_fuzz.cpp LINK iotsky_net)
