// What reads and packs forests of millions of nodes (native/runtime/forest.h), for NumPy arrays.
#pragma once

#include "python/numpy_api.h"

namespace sardonyx::python {

extern const char* const kPackTreesDoc;
extern const char* const kDistinctRowsDoc;
extern const char* const kReadVarintsDoc;

PyObject* pack_trees(PyObject* module, PyObject* arguments);
PyObject* distinct_rows(PyObject* module, PyObject* arguments);
PyObject* read_varints(PyObject* module, PyObject* arguments);
PyObject* give_back_memory(PyObject* module, PyObject*);

}  // namespace sardonyx::python
