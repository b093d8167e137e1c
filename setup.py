"""Build the optional C extensions; without a compiler the product runs on its slower paths."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "gateway.keyed_hash._blake2b",
            ["gateway/keyed_hash/_blake2b.c", "gateway/keyed_hash/_module.c"],
            depends=[
                "gateway/keyed_hash/_columns.h",
                "gateway/keyed_hash/_lanes.h",
                "gateway/keyed_hash/_stream.h",
            ],
            extra_compile_args=["-O3", "-pthread", "-fvisibility=hidden", "-Wno-psabi"],
            extra_link_args=["-pthread"],
            optional=True,
        ),
        Extension(
            "gateway.identity._sound",
            ["gateway/identity/_sound.c"],
            depends=[
                "gateway/keyed_hash/_columns.h",
                "gateway/keyed_hash/_days.h",
                "gateway/keyed_hash/_stream.h",
            ],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        ),
        Extension(
            "gateway.identity._few",
            ["gateway/identity/_few.c"],
            depends=["gateway/keyed_hash/_columns.h", "gateway/keyed_hash/_stream.h"],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        ),
        Extension(
            "gateway.adapters._packed",
            ["gateway/adapters/_packed.c"],
            depends=[
                "gateway/keyed_hash/_columns.h",
                "gateway/keyed_hash/_days.h",
                "gateway/keyed_hash/_giving.h",
                "gateway/keyed_hash/_stream.h",
            ],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        ),
        Extension(
            "gateway.disclosure._tokens",
            ["gateway/disclosure/_tokens.c"],
            depends=["gateway/keyed_hash/_columns.h", "gateway/keyed_hash/_stream.h"],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        ),
        Extension(
            "gateway.intake._csvscan",
            ["gateway/intake/_csvscan.c"],
            depends=["gateway/keyed_hash/_columns.h", "gateway/keyed_hash/_giving.h"],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        ),
    ]
)
