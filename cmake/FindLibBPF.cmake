# SPDX-License-Identifier: Apache-2.0
# LibBPF::LibBPF, with its version from pkg-config.
find_package(PkgConfig QUIET)
pkg_check_modules(PC_LibBPF QUIET libbpf)
find_path(LibBPF_INCLUDE_DIR bpf/bpf.h HINTS ${PC_LibBPF_INCLUDE_DIRS})
find_library(LibBPF_LIBRARY bpf HINTS ${PC_LibBPF_LIBRARY_DIRS})
set(LibBPF_VERSION ${PC_LibBPF_VERSION})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibBPF REQUIRED_VARS LibBPF_LIBRARY LibBPF_INCLUDE_DIR VERSION_VAR LibBPF_VERSION)
mark_as_advanced(LibBPF_INCLUDE_DIR LibBPF_LIBRARY)
if(LibBPF_FOUND AND NOT TARGET LibBPF::LibBPF)
  add_library(LibBPF::LibBPF UNKNOWN IMPORTED)
  set_target_properties(LibBPF::LibBPF PROPERTIES IMPORTED_LOCATION "${LibBPF_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibBPF_INCLUDE_DIR}")
endif()
