"""Build the optional C extension; without a compiler the product runs on its slower path."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "gateway.keyed_hash._blake2b",
            ["gateway/keyed_hash/_blake2b.c", "gateway/keyed_hash/_module.c"],
            depends=["gateway/keyed_hash/_columns.h", "gateway/keyed_hash/_lanes.h"],
            extra_compile_args=["-O3", "-pthread", "-fvisibility=hidden", "-Wno-psabi"],
            extra_link_args=["-pthread"],
            optional=True,
        ),
    ]
)
