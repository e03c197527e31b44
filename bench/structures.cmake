# Structures of the data plane, one by one. Not built where Google Benchmark is not installed.
if(benchmark_FOUND)
    add_executable(structures_bench structures_bench.cpp)
    target_link_libraries(structures_bench PRIVATE iotsky_broker iotsky_flags benchmark::benchmark_main)
endif()
