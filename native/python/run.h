// The methods of Program that compute.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace sardonyx::python {

PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* keywords);
PyObject* program_run_columns(PyObject* self, PyObject* const* args, Py_ssize_t nargs);
PyObject* program_run_table(PyObject* self, PyObject* const* args, Py_ssize_t nargs);

}  // namespace sardonyx::python
