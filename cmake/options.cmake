# Compiler settings of our own code: the target `tidemark_options`.
add_library(tidemark_options INTERFACE)
target_compile_options(tidemark_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Werror)
# g++ 12 sees an overlap that is not there in "text" + std::string (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tidemark_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(tidemark_options INTERFACE -Wreserved-identifier)
endif()
target_include_directories(tidemark_options INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/generated)
if(TIDEMARK_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TIDEMARK_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(TIDEMARK_SANITIZE)  # a build of its own each, whose time counts more than its speed
  add_compile_options(-O1 -g1)
endif()
if(TIDEMARK_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# tidemark_folder(NAME SOURCES ... DEPENDS ...): one layer of src/ as a static library `tidemark_NAME`.
function(tidemark_folder name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(tidemark_${name} STATIC ${arg_SOURCES})
  target_link_libraries(tidemark_${name} PUBLIC tidemark_options ${arg_DEPENDS} PRIVATE ${arg_PRIVATE})
endfunction()

# tidemark_under_sanitizers(TEST): what its sanitizer is told. Leaks count, Rust's too.
function(tidemark_under_sanitizers test)
  if(TIDEMARK_SANITIZE STREQUAL "address")
    set_tests_properties(${test} PROPERTIES ENVIRONMENT
      "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1;UBSAN_OPTIONS=print_stacktrace=1")
  elseif(TIDEMARK_SANITIZE STREQUAL "thread")
    set_tests_properties(${test} PROPERTIES ENVIRONMENT
      "TSAN_OPTIONS=halt_on_error=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
  endif()
endfunction()

# What all test programs read first, compiled once; and tests are compiled without optimization, since
# half of a build's time was theirs. What they test is optimized as ever.
function(tidemark_prepare_tests)
  file(WRITE ${PROJECT_BINARY_DIR}/generated/tests_pch.cc "int main() {}\n")
  add_executable(tidemark_tests_pch EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/generated/tests_pch.cc)
  target_link_libraries(tidemark_tests_pch PRIVATE tidemark_options GTest::gtest_main)
  target_compile_options(tidemark_tests_pch PRIVATE ${TIDEMARK_TEST_OPTIONS})
  target_precompile_headers(tidemark_tests_pch PRIVATE
    <gtest/gtest.h> <nlohmann/json.hpp> <chrono> <expected> <filesystem> <functional> <map> <optional>
    <random> <string> <thread> <vector>)
endfunction()
set(TIDEMARK_TEST_OPTIONS "$<$<CONFIG:RelWithDebInfo>:-O0;-g1>")

# tidemark_test(NAME SOURCES ... LINKS ...): one GoogleTest program, registered with ctest. SECONDS,
# where it takes more than a few: the longest start first, so that none is left to run alone.
function(tidemark_test name)
  cmake_parse_arguments(arg "" "SECONDS" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} tidemark_options GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${TIDEMARK_TEST_OPTIONS})
  target_precompile_headers(${name} REUSE_FROM tidemark_tests_pch)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
  if(arg_SECONDS)
    set_tests_properties(${name} PROPERTIES COST ${arg_SECONDS})
  endif()
  tidemark_under_sanitizers(${name})
endfunction()
