# The daemon's page as a C++ source: TIDEMARK_PAGE_SOURCE. Its charts are drawn by the npm package uplot.
set(TIDEMARK_UPLOT ${PROJECT_SOURCE_DIR}/build/uplot/node_modules/uplot CACHE PATH
  "The npm package uplot, as scripts/setup installs it")
if(NOT EXISTS ${TIDEMARK_UPLOT}/dist/uPlot.iife.min.js)
  message(FATAL_ERROR "no npm package uplot in ${TIDEMARK_UPLOT}: run scripts/setup")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(page_dir ${PROJECT_SOURCE_DIR}/src/daemon/page)
set(TIDEMARK_PAGE_SOURCE ${CMAKE_CURRENT_BINARY_DIR}/page.cc)
file(GLOB page_parts CONFIGURE_DEPENDS ${page_dir}/*)
add_custom_command(
  OUTPUT ${TIDEMARK_PAGE_SOURCE}
  COMMAND ${Python3_EXECUTABLE} ${page_dir}/embed.py ${TIDEMARK_UPLOT} ${TIDEMARK_PAGE_SOURCE}
  DEPENDS ${page_parts} ${TIDEMARK_UPLOT}/dist/uPlot.iife.min.js ${TIDEMARK_UPLOT}/dist/uPlot.min.css
  COMMENT "Putting the daemon's page together"
  VERBATIM)
