// How errors of the core become Python's exceptions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace sardonyx::python {

// sardonyx.ProgramError and sardonyx.InputError.
inline PyObject* program_error = nullptr;
inline PyObject* input_error = nullptr;

bool import_errors();  // false: a Python error is set

// To be called in a catch block; returns nullptr. An Error becomes one of that type.
PyObject* raise_current(PyObject* type_of_error);

}  // namespace sardonyx::python
