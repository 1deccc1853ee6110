# What `cmake --install` puts under the prefix besides the program: both libraries, the headers, the
# CMake package and the pkg-config files. Every path in them starts from where they are, so the
# installed tree may be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tidemark)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS tidemark_libreader tidemark_libsync EXPORT tidemarkTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tidemark DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/include/tidemark.h ${PROJECT_SOURCE_DIR}/include/tidemark_nearest.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

install(EXPORT tidemarkTargets NAMESPACE tidemark:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/tidemarkConfig.cmake.in
  ${PROJECT_BINARY_DIR}/tidemarkConfig.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tidemarkConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tidemarkConfig.cmake
              ${PROJECT_BINARY_DIR}/tidemarkConfigVersion.cmake DESTINATION ${package_dir})

# From the .pc files' folder to the prefix, e.g. ../..
file(RELATIVE_PATH pkgconfig_to_prefix /prefix/${pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" pkgconfig_to_prefix ${pkgconfig_to_prefix})
foreach(name tidemark-reader tidemark)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir})
endforeach()
