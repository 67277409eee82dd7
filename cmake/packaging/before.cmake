# What cpack reads before it begins.
if(CPACK_PLATEAU_UNFIT)
    list(JOIN CPACK_PLATEAU_UNFIT " " options)
    message(FATAL_ERROR "What this folder builds is not what packages hold. Configure with ${options} and build again, or take "
                        "`cmake --preset package`, `cmake --build --preset package`, `cpack --preset package`.")
endif()
find_program(PLATEAU_SHLIBDEPS dpkg-shlibdeps)
if(NOT PLATEAU_SHLIBDEPS)  # cpack would go on, and make packages that depend on nothing
    message(FATAL_ERROR "There is no dpkg-shlibdeps, which finds what programs depend on: install dpkg-dev.")
endif()
