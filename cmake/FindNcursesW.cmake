# SPDX-License-Identifier: Apache-2.0
# NcursesW::NcursesW, with its version from pkg-config.
find_package(PkgConfig QUIET)
pkg_check_modules(PC_NcursesW QUIET ncursesw)
find_path(NcursesW_INCLUDE_DIR ncurses.h HINTS ${PC_NcursesW_INCLUDE_DIRS})
find_library(NcursesW_LIBRARY ncursesw HINTS ${PC_NcursesW_LIBRARY_DIRS})
set(NcursesW_VERSION ${PC_NcursesW_VERSION})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NcursesW REQUIRED_VARS NcursesW_LIBRARY NcursesW_INCLUDE_DIR VERSION_VAR NcursesW_VERSION)
mark_as_advanced(NcursesW_INCLUDE_DIR NcursesW_LIBRARY)
if(NcursesW_FOUND AND NOT TARGET NcursesW::NcursesW)
  add_library(NcursesW::NcursesW UNKNOWN IMPORTED)
  set_target_properties(NcursesW::NcursesW PROPERTIES IMPORTED_LOCATION "${NcursesW_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${NcursesW_INCLUDE_DIR}")
endif()
