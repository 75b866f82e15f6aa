// row_maps: what ZipMap gives, a dict a row.
#pragma once

#include "python/numpy_api.h"

namespace sardonyx::python {

extern const char* const kRowMapsDoc;

// row_maps(array, keys)
PyObject* row_maps(PyObject* module, PyObject* arguments);

}  // namespace sardonyx::python
