# plateau_write_spdx(FILE README CREATED): an SPDX 2.3 document, in JSON, of plateau, its programs, the embedded model and the table of
# libraries in README. CREATED is a date, which makes the same document again. Libraries have no versions there: whoever compiles or installs decides.
# Tags of relationships: https://spdx.github.io/spdx-spec/v2.3/relationships-between-SPDX-elements
include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)

# plateau_spdx_package(NAME ID VERSION LICENCE TEXT [PURL]): appends to `packages`
macro(plateau_spdx_package name id version licence text)
    set(purl "")
    if(NOT "${ARGN}" STREQUAL "")
        set(purl ",\n      \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"${ARGN}\"}]")
    endif()
    set(numbered "")
    if(NOT "${version}" STREQUAL "")
        set(numbered "\n      \"versionInfo\": \"${version}\",")
    endif()
    string(REPLACE "\\" "\\\\" comment "${text}")
    string(REPLACE "\"" "\\\"" comment "${comment}")
    if(packages)
        string(APPEND packages ",\n")
    endif()
    string(APPEND packages "    {
      \"name\": \"${name}\",
      \"SPDXID\": \"SPDXRef-${id}\",${numbered}
      \"downloadLocation\": \"NOASSERTION\",
      \"filesAnalyzed\": false,
      \"licenseConcluded\": \"${licence}\",
      \"licenseDeclared\": \"${licence}\",
      \"copyrightText\": \"NOASSERTION\",
      \"comment\": \"${comment}\"${purl}
    }")
endmacro()

macro(plateau_spdx_relation from type to)
    string(APPEND relations ",\n    {\"spdxElementId\": \"SPDXRef-${from}\", \"relationshipType\": \"${type}\", \"relatedSpdxElement\": \"SPDXRef-${to}\"}")
endmacro()

function(plateau_write_spdx file readme created)
    set(packages "")
    set(relations "    {\"spdxElementId\": \"SPDXRef-DOCUMENT\", \"relationshipType\": \"DESCRIBES\", \"relatedSpdxElement\": \"SPDXRef-plateau\"}")
    plateau_spdx_package(plateau plateau ${PROJECT_VERSION} MIT "${PROJECT_DESCRIPTION}: headers, and what is compiled of them")
    plateau_spdx_package(plateau-tools plateau-tools ${PROJECT_VERSION} MIT "The programs")
    plateau_spdx_package(plateau-embedded-model plateau-embedded-model ${PROJECT_VERSION} MIT
        "Weights, tokenizer and prompts of the model that comes along, trained on texts in the public domain")
    plateau_spdx_relation(plateau-tools DEPENDS_ON plateau)
    plateau_spdx_relation(plateau-tools CONTAINS plateau-embedded-model)
    plateau_read_libraries(${readme} rows)
    set(own "")
    foreach(row IN LISTS rows)
        plateau_library_row("${row}")
        string(REGEX REPLACE "[^A-Za-z0-9.-]+" "-" id "${row_name}")
        string(REGEX REPLACE "^-+|-+$" "" id "${id}")
        set(purl "")
        if(row_debian)
            list(GET row_debian 0 first)
            string(REPLACE "+" "%2B" first "${first}")
            set(purl "pkg:deb/debian/${first}")
        endif()
        if(row_without STREQUAL "required")
            set(text "${row_for}; required")
        else()
            set(text "${row_for}; without it: ${row_without}")
        endif()
        plateau_spdx_package("${row_name}" "${id}" "" "${row_licence}" "${text}" ${purl})
        if(row_of STREQUAL "library")
            plateau_spdx_relation(plateau DEPENDS_ON ${id})
        elseif(row_of STREQUAL "library, optional")
            plateau_spdx_relation(${id} OPTIONAL_DEPENDENCY_OF plateau)
        elseif(row_of STREQUAL "programs")
            plateau_spdx_relation(plateau-tools DEPENDS_ON ${id})
        elseif(row_of STREQUAL "programs, optional")
            plateau_spdx_relation(${id} OPTIONAL_DEPENDENCY_OF plateau-tools)
        elseif(row_of STREQUAL "tests")
            plateau_spdx_relation(${id} TEST_DEPENDENCY_OF plateau)
        elseif(row_of STREQUAL "build")
            plateau_spdx_relation(${id} BUILD_TOOL_OF plateau)
        else()
            message(FATAL_ERROR "${readme}: '${row_name}' is of '${row_of}', which is none of: library, programs (both also with "
                                "', optional'), tests, build")
        endif()
        string(REGEX MATCHALL "LicenseRef-[A-Za-z0-9.-]+" refs "${row_licence}")
        foreach(ref IN LISTS refs)
            if(own)
                string(APPEND own ",\n")
            endif()
            string(APPEND own "    {\"licenseId\": \"${ref}\", \"name\": \"${row_name}\", \"extractedText\": \"The terms that come with ${row_name}; they have no identifier of SPDX.\"}")
        endforeach()
    endforeach()
    set(extracted "")
    if(own)
        set(extracted "  \"hasExtractedLicensingInfos\": [\n${own}\n  ],\n")
    endif()
    file(CONFIGURE OUTPUT ${file} @ONLY CONTENT "{
  \"spdxVersion\": \"SPDX-2.3\",
  \"dataLicense\": \"CC0-1.0\",
  \"SPDXID\": \"SPDXRef-DOCUMENT\",
  \"name\": \"plateau-${PROJECT_VERSION}\",
  \"documentNamespace\": \"https://spdx.org/spdxdocs/plateau-${PROJECT_VERSION}\",
  \"creationInfo\": {\"created\": \"${created}T00:00:00Z\", \"creators\": [\"Organization: plateau contributors\", \"Tool: CMake\"]},
  \"packages\": [
${packages}
  ],
${extracted}  \"relationships\": [
${relations}
  ]
}
")
endfunction()
