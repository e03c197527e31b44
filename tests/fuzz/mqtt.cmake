iotsky_fuzz(framer SOURCES framer_fuzz.cpp LINK iotsky_mqtt iotsky_mqtt_text)
iotsky_fuzz(topic_filter SOURCES topic_filter_fuzz.cpp LINK iotsky_mqtt)
