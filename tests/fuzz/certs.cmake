iotsky_fuzz(csr SOURCES csr_fuzz.cpp LINK iotsky_certs)
