# Builds the Rust crate with cargo: the imported target `tidemark_redb_ffi`.
# Under TSan, which does not see Rust's synchronisation, it is the cdylib, so that a suppression
# can name the library.
set(TIDEMARK_CARGO_TARGET_DIR "${CMAKE_BINARY_DIR}/cargo" CACHE PATH "Where cargo builds")
find_program(TIDEMARK_CARGO cargo HINTS $ENV{HOME}/.cargo/bin /usr/lib/rust-web/bin REQUIRED)

set(crate_dir ${PROJECT_SOURCE_DIR}/src/redb/ffi)
file(GLOB crate_sources CONFIGURE_DEPENDS ${crate_dir}/src/*.rs)
if(TIDEMARK_SANITIZE STREQUAL "thread")
  set(crate_kind SHARED)
  set(crate_file ${TIDEMARK_CARGO_TARGET_DIR}/release/libtidemark_redb.so)
else()
  set(crate_kind STATIC)
  set(crate_file ${TIDEMARK_CARGO_TARGET_DIR}/release/libtidemark_redb.a)
endif()
set(crate_features)
if(TIDEMARK_TESTS)
  set(crate_features --features fault)
endif()

add_custom_command(
  OUTPUT ${crate_file}
  COMMAND ${TIDEMARK_CARGO} build --locked --release ${crate_features}
          --target-dir ${TIDEMARK_CARGO_TARGET_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${crate_file}
  WORKING_DIRECTORY ${crate_dir}
  DEPENDS ${crate_sources} ${crate_dir}/Cargo.toml ${crate_dir}/Cargo.lock
  COMMENT "cargo build tidemark-redb"
  VERBATIM)
add_custom_target(tidemark_redb_crate DEPENDS ${crate_file})

add_library(tidemark_redb_ffi ${crate_kind} IMPORTED GLOBAL)
set_target_properties(tidemark_redb_ffi PROPERTIES IMPORTED_LOCATION ${crate_file}
  IMPORTED_NO_SONAME TRUE)
target_link_libraries(tidemark_redb_ffi INTERFACE pthread dl m)
add_dependencies(tidemark_redb_ffi tidemark_redb_crate)
