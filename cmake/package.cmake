# What the Debian package has besides what `cmake --install` puts under any prefix: the service, man
# pages, completions, documents; and what CPack writes into it. Only for `make package` (scripts/package).
find_program(HELP2MAN help2man REQUIRED)
find_program(GZIP gzip REQUIRED)
set(made ${PROJECT_BINARY_DIR}/package)
set(deploy ${PROJECT_SOURCE_DIR}/deploy)

# A version that sorts before the release that it leads to, and after every older commit's.
set(TIDEMARK_MAINTAINER "the tidemark developers <developers@tidemark.invalid>")
set(git ${CMAKE_COMMAND} -E env TZ=UTC ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} log -1)
execute_process(COMMAND ${git} "--format=%cd.%h" --date=format-local:%Y%m%d%H%M%S
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${git} "--format=%cd" "--date=format-local:%a, %d %b %Y %H:%M:%S +0000"
  OUTPUT_VARIABLE TIDEMARK_DATE OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(TIDEMARK_PACKAGE_VERSION ${PROJECT_VERSION}~git${commit})

file(MAKE_DIRECTORY ${made}/completions)
set(program $<TARGET_FILE:tidemark>)
file(GENERATE OUTPUT ${made}/make CONTENT "#!/bin/sh
# Everything that the program says of itself.
set -e
rm -rf ${made}/man
${PROJECT_SOURCE_DIR}/tools/man-pages ${program} ${made}/man
${GZIP} -9n ${made}/man/*
${program} completion bash >${made}/completions/tidemark
${program} completion zsh >${made}/completions/_tidemark
${program} completion fish >${made}/completions/tidemark.fish
")
add_custom_command(OUTPUT ${made}/done COMMAND sh ${made}/make COMMAND ${CMAKE_COMMAND} -E touch ${made}/done
  DEPENDS tidemark ${PROJECT_SOURCE_DIR}/tools/man-pages ${deploy}/man/tidemark.h2m VERBATIM)
add_custom_target(tidemark_said ALL DEPENDS ${made}/done)
install(DIRECTORY ${made}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/completions/tidemark DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${made}/completions/_tidemark DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${made}/completions/tidemark.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

file(READ ${deploy}/tidemark.service unit)
string(REPLACE /usr/local/bin/ ${CMAKE_INSTALL_FULL_BINDIR}/ unit "${unit}")
file(WRITE ${made}/tidemark.service "${unit}")
install(FILES ${made}/tidemark.service DESTINATION lib/systemd/system)
install(FILES ${deploy}/debian/sysusers.conf DESTINATION lib/sysusers.d RENAME tidemark.conf)
install(FILES ${deploy}/tidemark.toml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/tidemark)

# The documents' links to each other stay right.
file(WRITE ${made}/changelog "tidemark (${TIDEMARK_PACKAGE_VERSION}) bookworm; urgency=medium

  * CHANGELOG.md says what is new.

 -- ${TIDEMARK_MAINTAINER}  ${TIDEMARK_DATE}
")
execute_process(COMMAND ${GZIP} -9nkf ${made}/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES README.md CHANGELOG.md ${deploy}/debian/copyright ${made}/changelog.gz
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN target EXCLUDE)
install(FILES ${deploy}/alerts.yml ${deploy}/grafana.json ${deploy}/tidemark.service
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)

# One package, although Debian would make three of it: until 1.0 program, libraries and headers belong to
# one version, and what is handed to a host is then one file.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tidemark)
set(CPACK_PACKAGE_VERSION ${TIDEMARK_PACKAGE_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/package)
set(CPACK_SET_DESTDIR ON)  # /etc is not below the prefix
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "local cache in step with a Turso database")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "tidemark keeps a local redb file in step with the Turso database that holds
AI agents' memories: episodes, patterns, heuristics and embeddings. Any number
of processes read the file in place, in microseconds, while one syncs it.
.
A read says hit, absent (the cache proves that the source had none) or unknown
(not cached: ask the source), and as of when.
.
The package has the program, a systemd service that is not enabled, two
libraries and their headers, man pages and completions.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${TIDEMARK_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)  # another minor version is another ABI
# For the service's user. Where there is no systemd, the small one of these.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${deploy}/debian/conffiles ${deploy}/debian/triggers
  ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
