# cmake -DCLANG_FORMAT=<program> -DSTYLE=<.clang-format> -DROOTS=<folder|folder...> -P format.cmake
# Every C++ and CUDA source under ROOTS is as clang-format 14 leaves it: so no line is longer than 120 columns, but for literals
# that cannot be broken. Names the files that are not.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" roots "${ROOTS}")
set(sources "")
foreach(root IN LISTS roots)
    foreach(kind IN ITEMS hpp cpp cuh inl ipp c)
        file(GLOB_RECURSE found ${root}/*.${kind})
        list(APPEND sources ${found})
    endforeach()
endforeach()
if(NOT sources)
    message(FATAL_ERROR "There is no source under ${ROOTS}.")
endif()
execute_process(COMMAND ${CLANG_FORMAT} --style=file:${STYLE} --dry-run -Werror --ferror-limit=1 ${sources}
    RESULT_VARIABLE status ERROR_VARIABLE says)
if(NOT status EQUAL 0)
    string(REGEX MATCHALL "[^\n]+: error: code should be" offences "${says}")
    list(JOIN offences "\n" offences)
    message(FATAL_ERROR "These are not as clang-format leaves them (clang-format -i FILE mends it):\n${offences}\n${says}")
endif()
