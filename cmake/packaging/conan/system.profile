# Debian 12 with the -dev packages of these libraries: Conan takes none of its own.
include(default)

[settings]
compiler.cppstd=20

[platform_requires]
eigen/3.4.0
rapidjson/1.1.0
pcre2/10.42
utf8proc/2.8.0
zlib/1.2.13
minizip/1.1
cairo/1.16.0
xtensor/0.24.3
cli11/2.1.2
nlohmann_json/3.11.2
openssl/3.0.19
