# Language level, warnings, hardening and the libraries that everything shares.
option(IOTSKY_TESTS "Build the tests" ON)
option(IOTSKY_BENCH "Build the benchmarks and the load generator" ON)
option(IOTSKY_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(IOTSKY_HARDEN "Hardening flags of a release" OFF)
set(IOTSKY_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(IOTSKY_CCACHE ccache)
if(IOTSKY_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${IOTSKY_CCACHE})
endif()
find_program(IOTSKY_MOLD mold)
if(IOTSKY_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS system json url)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(iotsky_flags INTERFACE)
target_include_directories(iotsky_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_link_libraries(iotsky_flags INTERFACE Threads::Threads)
target_compile_options(iotsky_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # "text" + std::string is taken for an overlapping copy when optimised: GCC bug 105329.
    target_compile_options(iotsky_flags INTERFACE -Wno-restrict)
endif()

if(IOTSKY_SANITIZE)
    add_compile_options(-fsanitize=${IOTSKY_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${IOTSKY_SANITIZE})
    # g++ 12 warns inside libstdc++ under sanitizers, where inlining differs.
    target_compile_options(iotsky_flags INTERFACE
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-stringop-overflow>)
    if(IOTSKY_SANITIZE MATCHES thread)
        # It does not model fences. Ours (base/sleeper.hpp, the retained index) order flags that are atomic
        # themselves; what they guard has its own lock, so nothing is reported for want of them.
        target_compile_options(iotsky_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
    endif()
endif()
if(IOTSKY_FUZZ)
    # Everything is instrumented for coverage; the targets themselves add the fuzzer's main (IotskyTest).
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(IOTSKY_HARDEN)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
        -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero)
    set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code")
endif()

# iotsky_library(NAME SOURCES ... LINK ... PRIVATE ...): one library per folder. LINK (public) is the
# allowed arrow to other folders; PRIVATE are libraries that stay inside the .cpp files.
function(iotsky_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE iotsky_flags ${ARG_PRIVATE})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
endfunction()
