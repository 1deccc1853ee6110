# TIDEMARK_COMMIT ("unknown" outside git) and TIDEMARK_REDB_VERSION. A new commit configures again
# (git's log of HEAD changes) and compiles one file; an ordinary build looks at nothing.
set(TIDEMARK_COMMIT unknown)
find_package(Git QUIET)
if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} RESULT_VARIABLE failed OUTPUT_VARIABLE commit
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --path-format=absolute --git-path logs/HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE head_log
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT failed)
    set(TIDEMARK_COMMIT ${commit})
  endif()
  if(EXISTS "${head_log}")
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${head_log}")
  endif()
endif()
file(READ ${PROJECT_SOURCE_DIR}/src/redb/ffi/Cargo.lock lock)
string(REGEX MATCH "name = \"redb\"\nversion = \"([^\"]+)\"" found "${lock}")
set(TIDEMARK_REDB_VERSION ${CMAKE_MATCH_1})
if(NOT found)
  message(FATAL_ERROR "src/redb/ffi/Cargo.lock names no redb")
endif()
