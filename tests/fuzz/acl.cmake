# Policy text: parse; what parses is compiled, evaluated and compared with the slow twin.
iotsky_fuzz(policy
    SOURCES policy_fuzz.cpp "${CMAKE_SOURCE_DIR}/tests/unit/acl/naive_policy.cpp"
    LINK iotsky_acl Boost::json)
