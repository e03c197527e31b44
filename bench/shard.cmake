# One io thread's data plane. Not built where Google Benchmark is not installed.
if(benchmark_FOUND)
    add_executable(shard_bench shard_bench.cpp)
    target_link_libraries(shard_bench PRIVATE iotsky_broker iotsky_flags benchmark::benchmark_main)
endif()
