if(benchmark_FOUND)
    add_executable(mqtt_bench mqtt_bench.cpp)
    target_link_libraries(mqtt_bench PRIVATE iotsky_flags iotsky_mqtt benchmark::benchmark)
endif()
