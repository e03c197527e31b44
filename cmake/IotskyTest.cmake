# iotsky_test(NAME SOURCES ... LINK ...): one doctest program, one ctest entry.
function(iotsky_test name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK;ARGS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE iotsky_test_main iotsky_flags ${ARG_LINK})
    add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
endfunction()

# iotsky_fuzz(NAME SOURCES ... LINK ...): a target `LLVMFuzzerTestOneInput`. With IOTSKY_FUZZ (clang) it is a
# fuzzer, built by the target `fuzzers`; otherwise the same file is built with a small driver that replays corpus/NAME and regress/NAME in ctest.
function(iotsky_fuzz name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
    if(IOTSKY_FUZZ)
        add_executable(${name}_fuzz ${ARG_SOURCES})
        target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
        target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
        if(NOT TARGET fuzzers)
            add_custom_target(fuzzers)
        endif()
        add_dependencies(fuzzers ${name}_fuzz)
    else()
        add_executable(${name}_fuzz ${ARG_SOURCES} "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cpp")
        add_test(NAME fuzz_corpus_${name} COMMAND ${name}_fuzz
            "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}" "${CMAKE_SOURCE_DIR}/tests/fuzz/regress/${name}")
    endif()
    target_link_libraries(${name}_fuzz PRIVATE iotsky_flags ${ARG_LINK})
endfunction()
