# Packets, turns, commits and crashes in any order.
iotsky_fuzz(broker SOURCES broker_fuzz.cpp LINK iotsky_simulation)
