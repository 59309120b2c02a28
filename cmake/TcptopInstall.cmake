# SPDX-License-Identifier: Apache-2.0
# Where things are installed, and under which name: another one where /usr/sbin/tcptop is taken (libbpf-tools).
set(TCPTOP_INSTALL_NAME "tcptop" CACHE STRING "name of the installed program and its man page")
if(NOT TCPTOP_INSTALL_NAME MATCHES "^[A-Za-z0-9][A-Za-z0-9._+-]*$")
  message(FATAL_ERROR "TCPTOP_INSTALL_NAME is the name of a program, not '${TCPTOP_INSTALL_NAME}'")
endif()

# The self-test's directory, and how the two programs find each other under whatever prefix they are put.
set(TCPTOP_CHECK_DIR "${CMAKE_INSTALL_FULL_LIBEXECDIR}/${TCPTOP_INSTALL_NAME}")
file(RELATIVE_PATH TCPTOP_CHECK_FROM_SBINDIR "${CMAKE_INSTALL_FULL_SBINDIR}" "${TCPTOP_CHECK_DIR}")
file(RELATIVE_PATH TCPTOP_FROM_CHECK_DIR "${TCPTOP_CHECK_DIR}" "${CMAKE_INSTALL_FULL_SBINDIR}")

# The man page under the installed name: where it stands for the command, and in paths of the installation.
function(tcptop_install_man)
  set(source "${PROJECT_SOURCE_DIR}/man/tcptop.8")
  set(page "${PROJECT_BINARY_DIR}/man/${TCPTOP_INSTALL_NAME}.8")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  file(READ "${source}" text)
  string(TOUPPER "${TCPTOP_INSTALL_NAME}" title)
  string(REPLACE ".TH TCPTOP 8" ".TH ${title} 8" text "${text}")
  string(REGEX REPLACE "(\n(\\.(SY|B|BR) )?)tcptop([ \n])" "\\1${TCPTOP_INSTALL_NAME}\\4" text "${text}")
  string(REPLACE "libexec/tcptop/" "libexec/${TCPTOP_INSTALL_NAME}/" text "${text}")
  file(WRITE "${page}" "${text}")
  install(FILES "${page}" DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
endfunction()

set(TCPTOP_BASH_COMPLETIONS_DIR "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" CACHE STRING "of the shell bash")
set(TCPTOP_ZSH_COMPLETIONS_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING "of zsh; Debian: vendor-completions")
set(TCPTOP_FISH_COMPLETIONS_DIR "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" CACHE STRING "of fish")

# Printed by a program of the build: where that cannot run, there are none.
function(tcptop_install_completions)
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(STATUS "Without completions of shells: for those set CMAKE_CROSSCOMPILING_EMULATOR")
    return()
  endif()
  set(directory "${PROJECT_BINARY_DIR}/completions")
  file(MAKE_DIRECTORY "${directory}")
  foreach(shell_file IN ITEMS "bash|${TCPTOP_INSTALL_NAME}" "zsh|_${TCPTOP_INSTALL_NAME}" "fish|${TCPTOP_INSTALL_NAME}.fish")
    string(REGEX MATCH "^(.*)\\|(.*)$" unused "${shell_file}")
    set(shell "${CMAKE_MATCH_1}")
    set(file "${directory}/${CMAKE_MATCH_2}")
    add_custom_command(OUTPUT "${file}" COMMAND tcptop-completions ${shell} > "${file}" DEPENDS tcptop-completions VERBATIM)
    list(APPEND files "${file}")
    string(TOUPPER "${shell}" upper)
    install(FILES "${file}" DESTINATION "${TCPTOP_${upper}_COMPLETIONS_DIR}")
  endforeach()
  add_custom_target(completions ALL DEPENDS ${files})
endfunction()

# When the targets are there.
function(tcptop_install)
  install(TARGETS tcptop RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
  install(TARGETS tcptop-check RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/${TCPTOP_INSTALL_NAME})
  tcptop_install_man()
  tcptop_install_completions()
  install(FILES README.md LICENSE docs/recording.schema.json docs/special_filtering.md
    examples/tcptop_example.txt
    DESTINATION ${CMAKE_INSTALL_DOCDIR})
  install(DIRECTORY examples/systemd DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
endfunction()
