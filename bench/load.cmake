# The load generator of bench/load/ (README.md there).
add_executable(iotsky_load load/main.cpp load/options.cpp load/mqtt_bytes.cpp load/tls.cpp load/connection.cpp
    load/process_usage.cpp load/loop.cpp load/report.cpp load/traffic.cpp load/connect.cpp)
target_link_libraries(iotsky_load PRIVATE iotsky_flags OpenSSL::SSL OpenSSL::Crypto Boost::json)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(iotsky_load PRIVATE -O2)
endif()
