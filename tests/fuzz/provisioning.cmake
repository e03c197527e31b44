# A roster as a stranger could send it: read or refused, never more than the limits.
iotsky_fuzz(roster SOURCES roster_fuzz.cpp LINK iotsky_provisioning)
