# plateau::compiled, a static library of the bodies in core/ and io/ (impl/*.ipp), which the headers otherwise bring along: what links
# it compiles declarations alone there, and none of the libraries behind them. All files of a program should link it, or none.
# Nothing is built unless something links it.
file(GLOB_RECURSE bodies CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/*.ipp)
get_target_property(definitions plateau INTERFACE_COMPILE_DEFINITIONS)
if(definitions MATCHES "PLATEAU_HAS_ZLIB=0")
    list(REMOVE_ITEM bodies plateau/io/impl/npz_reader.ipp)
endif()
if(definitions MATCHES "PLATEAU_HAS_MINIZIP=0")
    list(REMOVE_ITEM bodies plateau/io/impl/npz_writer.ipp)
endif()
list(TRANSFORM bodies REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT bodies ${bodies})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/plateau_compiled/compiled.cpp CONTENT "${bodies}" @ONLY)

add_library(plateau_compiled STATIC EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/plateau_compiled/compiled.cpp)
add_library(plateau::compiled ALIAS plateau_compiled)
set_target_properties(plateau_compiled PROPERTIES EXPORT_NAME compiled)
target_link_libraries(plateau_compiled PUBLIC plateau)
target_compile_definitions(plateau_compiled PUBLIC PLATEAU_COMPILED=1)
