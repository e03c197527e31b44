# Configuration text: read, shown, read again.
iotsky_fuzz(config SOURCES config_fuzz.cpp LINK iotsky_apps)
# Bytes of a connection of the API, up to the handlers.
iotsky_fuzz(http SOURCES http_fuzz.cpp LINK iotsky_api_installation Boost::json Boost::url)
