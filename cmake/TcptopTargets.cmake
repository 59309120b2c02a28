# SPDX-License-Identifier: Apache-2.0
include(CheckCSourceCompiles)
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

# A distribution that asks for another level, by CFLAGS or in its compiler, keeps it.
set(CMAKE_REQUIRED_FLAGS -O2)
check_c_source_compiles("#ifndef _FORTIFY_SOURCE\n#error\n#endif\nint main(void) { return 0; }" TCPTOP_FORTIFIED)
# Level 3 needs gcc 12 or clang 9, and glibc 2.34, which says in a warning that it has no more than 2.
set(CMAKE_REQUIRED_FLAGS "-O2 -Werror")
check_c_source_compiles("#define _FORTIFY_SOURCE 3\n#include <string.h>\n#if __USE_FORTIFY_LEVEL < 3\n#error\n#endif\nint main(void) { return 0; }" TCPTOP_FORTIFY_3)
unset(CMAKE_REQUIRED_FLAGS)

# What makes less of a mistake in memory, where the compiler knows it and the processor has it.
set(TCPTOP_HARDENING "")
foreach(flag IN ITEMS -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard -fstrict-flex-arrays=3
    -ftrivial-auto-var-init=zero)
  string(MAKE_C_IDENTIFIER "TCPTOP_HAS${flag}" has)
  set(CMAKE_REQUIRED_FLAGS -Werror)
  check_c_compiler_flag(${flag} ${has})
  unset(CMAKE_REQUIRED_FLAGS)
  if(${has})
    list(APPEND TCPTOP_HARDENING ${flag})
  endif()
endforeach()

# Names of the folders of source and build stay out of the programs: each build gives the same bytes.
set(TCPTOP_PREFIX_MAP "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=." "-ffile-prefix-map=${PROJECT_BINARY_DIR}=build")

# What every target of the project is compiled and linked with.
function(tcptop_compile_options target)
  target_compile_features(${target} PRIVATE c_std_11)
  set_target_properties(${target} PROPERTIES C_EXTENSIONS ON POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE TCPTOP_VERSION="${PROJECT_VERSION}"
    TCPTOP_NAME="${TCPTOP_INSTALL_NAME}")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wstrict-prototypes
    -fno-common -fstack-protector-strong -fno-plt ${TCPTOP_HARDENING} ${TCPTOP_PREFIX_MAP} $<$<NOT:$<CONFIG:Debug>>:-O2>)
  target_link_options(${target} PRIVATE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack
    LINKER:--as-needed)
  if(TCPTOP_WERROR)
    target_compile_options(${target} PRIVATE -Werror -Wno-error=deprecated-declarations)
  endif()
  if(TCPTOP_ANALYZER)
    target_compile_options(${target} PRIVATE -fanalyzer)
  endif()
  if(TCPTOP_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(TCPTOP_SANITIZE STREQUAL "none")
    if(NOT TCPTOP_FORTIFIED)
      target_compile_definitions(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=$<IF:$<BOOL:${TCPTOP_FORTIFY_3}>,3,2>>)
    endif()
  elseif(TCPTOP_SANITIZE STREQUAL "address")
    target_compile_options(${target} PUBLIC -fsanitize=address,undefined,float-cast-overflow
      -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  elseif(TCPTOP_SANITIZE STREQUAL "thread")
    target_compile_options(${target} PUBLIC -fsanitize=thread)
    target_link_options(${target} PUBLIC -fsanitize=thread)
  else()
    message(FATAL_ERROR "TCPTOP_SANITIZE is none, address or thread, not '${TCPTOP_SANITIZE}'")
  endif()
endfunction()

# A floor of the house: the static library of a folder, src/NAME unless FOLDER says another, on those of earlier floors.
function(tcptop_floor name)
  cmake_parse_arguments(PARSE_ARGV 1 floor "" "FOLDER" "ON;SOURCES")
  if(NOT floor_FOLDER)
    set(floor_FOLDER "${name}")
  endif()
  list(TRANSFORM floor_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/src/${floor_FOLDER}/")
  list(TRANSFORM floor_SOURCES APPEND ".c")
  add_library(${name} STATIC ${floor_SOURCES})
  tcptop_compile_options(${name})
  target_link_libraries(${name} PUBLIC ${floor_ON})
endfunction()

# A library with each file's text as a constant: program_text_NAME.
function(tcptop_embed_texts name)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/")
  string(REPLACE ";" "|" joined "${ARGN}")
  set(out "${PROJECT_BINARY_DIR}/embedded/${name}")
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/embedded")
  add_custom_command(OUTPUT "${out}.c" "${out}.h"
    COMMAND ${CMAKE_COMMAND} "-DOUT=${out}" "-DTEXTS=${joined}" -P "${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake"
    DEPENDS ${ARGN} "${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake"
    VERBATIM)
  add_library(${name} STATIC "${out}.c")
  target_include_directories(${name} PUBLIC "${PROJECT_BINARY_DIR}/embedded")
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${name} PRIVATE ${TCPTOP_PREFIX_MAP})
endfunction()
