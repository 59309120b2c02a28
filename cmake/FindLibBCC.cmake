# SPDX-License-Identifier: Apache-2.0
# LibBCC::headers: the C API's headers. Nothing is linked: the library is loaded when the program runs.
find_path(LibBCC_INCLUDE_DIR bcc/bcc_common.h)
if(LibBCC_INCLUDE_DIR AND EXISTS "${LibBCC_INCLUDE_DIR}/bcc/bcc_version.h")
  file(STRINGS "${LibBCC_INCLUDE_DIR}/bcc/bcc_version.h" line REGEX "define LIBBCC_VERSION \"")
  string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" LibBCC_VERSION "${line}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibBCC REQUIRED_VARS LibBCC_INCLUDE_DIR VERSION_VAR LibBCC_VERSION)
mark_as_advanced(LibBCC_INCLUDE_DIR)
if(LibBCC_FOUND AND NOT TARGET LibBCC::headers)
  add_library(LibBCC::headers INTERFACE IMPORTED)
  set_target_properties(LibBCC::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${LibBCC_INCLUDE_DIR}")
endif()
