// NumPy's C API, as every file of the binding has to include it (module.cpp with SARDONYX_IMPORTS_NUMPY).
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL sardonyx_numpy_api
#ifndef SARDONYX_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

namespace sardonyx::python {

inline PyArrayObject* as_array(PyObject* array) { return reinterpret_cast<PyArrayObject*>(array); }

// A function of three or four arguments, as tables of methods want it.
template <class Function>
PyCFunction as_c_function(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace sardonyx::python
