# The two shared libraries, made of the folders' objects; exports/*.map.in say what they export.
#   tidemark::reader  libtidemark-reader.so  reading, and the one copy of the Rust crate
#   tidemark::sync    libtidemark.so         the rest; calls the crate through the reader
# Before 1.0 a minor version may change the ABI.
set(TIDEMARK_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# tidemark_library(NAME OUTPUT FILE FOLDERS ... LINKS PUBLIC|PRIVATE ...): `tidemark_libNAME`. Each
# object of FOLDERS is in it; of the folders that it links, what those need.
function(tidemark_library name)
  cmake_parse_arguments(arg "" "OUTPUT" "FOLDERS;LINKS" ${ARGN})
  list(TRANSFORM arg_FOLDERS REPLACE "(.+)" "$<TARGET_OBJECTS:tidemark_\\1>")
  add_library(tidemark_lib${name} SHARED ${arg_FOLDERS})
  add_library(tidemark::${name} ALIAS tidemark_lib${name})
  set(map ${PROJECT_BINARY_DIR}/${name}.map)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/exports/${name}.map.in ${map} @ONLY)
  set_target_properties(tidemark_lib${name} PROPERTIES
    OUTPUT_NAME ${arg_OUTPUT} EXPORT_NAME ${name} LINKER_LANGUAGE CXX LINK_DEPENDS ${map}
    VERSION ${PROJECT_VERSION} SOVERSION ${TIDEMARK_SOVERSION} INSTALL_RPATH $ORIGIN)
  target_link_libraries(tidemark_lib${name} ${arg_LINKS})
  target_link_options(tidemark_lib${name} PRIVATE
    -Wl,--version-script=${map} -Wl,--no-undefined -Wl,--gc-sections)
  target_include_directories(tidemark_lib${name} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(tidemark_lib${name} INTERFACE cxx_std_23)
endfunction()

tidemark_library(reader OUTPUT tidemark-reader FOLDERS base model cache_reading abi
                 LINKS PRIVATE tidemark_redb)
# The reader comes first: what it exports is then not taken from a folder a second time.
tidemark_library(sync OUTPUT tidemark FOLDERS model sync
                 LINKS PUBLIC tidemark_libreader PRIVATE tidemark_source tidemark_cache)
set_target_properties(tidemark_libsync PROPERTIES TIDEMARK_REDB_ELSEWHERE ON)
