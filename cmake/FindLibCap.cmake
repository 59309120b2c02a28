# SPDX-License-Identifier: Apache-2.0
# LibCap::LibCap, with its version from pkg-config.
find_package(PkgConfig QUIET)
pkg_check_modules(PC_LibCap QUIET libcap)
find_path(LibCap_INCLUDE_DIR sys/capability.h HINTS ${PC_LibCap_INCLUDE_DIRS})
find_library(LibCap_LIBRARY cap HINTS ${PC_LibCap_LIBRARY_DIRS})
set(LibCap_VERSION ${PC_LibCap_VERSION})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibCap REQUIRED_VARS LibCap_LIBRARY LibCap_INCLUDE_DIR VERSION_VAR LibCap_VERSION)
mark_as_advanced(LibCap_INCLUDE_DIR LibCap_LIBRARY)
if(LibCap_FOUND AND NOT TARGET LibCap::LibCap)
  add_library(LibCap::LibCap UNKNOWN IMPORTED)
  set_target_properties(LibCap::LibCap PROPERTIES IMPORTED_LOCATION "${LibCap_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibCap_INCLUDE_DIR}")
endif()
