if(benchmark_FOUND)
    add_executable(acl_bench acl_bench.cpp)
    target_link_libraries(acl_bench PRIVATE iotsky_flags iotsky_acl benchmark::benchmark)
endif()
