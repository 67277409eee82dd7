"""Recipe for Conan 2: headers, plateauConfig.cmake and, with compiled=True, plateau::compiled.

    conan create cmake/packaging/conan --build=missing
"""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load
from conan.tools.gnu import PkgConfigDeps

required_conan_version = ">=2.0.17"


class PlateauConan(ConanFile):
    name = "plateau"
    license = "MIT"
    description = "Stable regions of transformer language models"
    topics = ("language-models", "interpretability", "activations", "header-only")
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {name: [True, False] for name in ("compiled", "tokenizers", "npz", "pictures", "xtensor", "program")}
    default_options = {"compiled": True, "tokenizers": True, "npz": True, "pictures": True, "xtensor": False, "program": False}
    test_package_folder = "test_package"

    # option, version, name in PLATEAU_WITH_*
    _optional = [
        ("tokenizers", "pcre2/[>=10.37 <11]", "PCRE2"),
        ("tokenizers", "utf8proc/[>=2.6 <3]", "UTF8PROC"),
        ("npz", "zlib/[>=1.2.11 <2]", "ZLIB"),
        ("npz", "minizip/[>=1.1 <2]", "MINIZIP"),
        ("pictures", "cairo/[>=1.16 <2]", "CAIRO"),
        ("xtensor", "xtensor/[>=0.24 <1]", "XTENSOR"),
        ("program", "cli11/[>=2.1 <3]", None),
        ("program", "nlohmann_json/[>=3.11 <4]", None),
        ("program", "openssl/[>=1.1 <4]", None),
    ]

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        self.version = re.search(r"project\(plateau VERSION ([0-9.]+)", load(self, os.path.join(self._root, "CMakeLists.txt")))[1]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "README.md", "include/*", "cmake/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4 <4]", transitive_headers=True)
        self.requires("rapidjson/1.1.0", transitive_headers=True)
        for option, reference, _ in self._optional:
            if self.options.get_safe(option):
                self.requires(reference, transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        if not self.info.options.compiled:
            self.info.settings.clear()

    def generate(self):
        CMakeDeps(self).generate()
        PkgConfigDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for name in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables[f"PLATEAU_BUILD_{name}"] = False
        for option, _, name in self._optional:
            if name:
                toolchain.cache_variables[f"PLATEAU_WITH_{name}"] = bool(self.options.get_safe(option))
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        if self.options.compiled:
            cmake.build(target="plateau_compiled")  # nothing builds it unless something links it

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "plateau.spdx.json", os.path.join(self.build_folder, "packaging"), os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # plateauConfig.cmake comes along
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "plateau")]
        self.cpp_info.libs = ["plateau_compiled"] if self.options.compiled else []
        self.cpp_info.set_property("cmake_target_name", "plateau::plateau")
