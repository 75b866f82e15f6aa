// sardonyx._native, the module. native/python/ is the only room that knows Python:
//
//   Program   program.cpp ─▶ run.cpp, the method run ─▶ call.h, one call ─▶ reader.h, pieces.h ─▶ runtime/executor.h
//   Column    column.cpp, column_makers.cpp ─▶ arrow.h, strip.h
//
// Written against the C APIs of CPython and NumPy, without a binding library: there are two small types, and the one
// hot method has to cost less than the libraries' own argument conversion.
#define SARDONYX_IMPORTS_NUMPY
#include "python/numpy_api.h"
// NumPy first: it includes Python.h, which must precede the standard headers.
#include <utility>

#include "python/column.h"
#include "python/errors.h"
#include "python/forest.h"
#include "python/hashes.h"
#include "python/maps.h"
#include "python/program.h"
#include "python/ref.h"
#include "runtime/cpu.h"
#include "runtime/registry.h"

namespace sardonyx::python {
namespace {

PyObject* set_coerce(PyObject*, PyObject* hook) {
  if (hook != Py_None && !PyCallable_Check(hook)) {
    PyErr_SetString(PyExc_TypeError, "set_coerce takes a callable(program, feeds) -> dict, or None");
    return nullptr;
  }
  PyObject* previous = std::exchange(coerce_hook, hook == Py_None ? nullptr : Py_NewRef(hook));
  if (previous == nullptr) Py_RETURN_NONE;
  return previous;
}

PyObject* module_isa(PyObject*, PyObject*) {
  try {
    return PyUnicode_FromString(isa_name(capped_isa("")));
  } catch (...) {
    return raise_current(program_error);
  }
}

PyObject* module_kernels(PyObject*, PyObject*) {
  Ref result(PyDict_New());
  if (!result) return nullptr;
  for (const KernelEntry& entry : all_kernels()) {
    const Ref name(PyUnicode_FromString(entry.name));
    const Ref isa(PyUnicode_FromString(isa_name(entry.isa)));
    const Ref empty(PyTuple_New(0));
    if (!name || !isa || !empty) return nullptr;
    PyObject* known = PyDict_SetDefault(result.get(), name.get(), empty.get());
    const Ref one(PyTuple_Pack(1, isa.get()));
    const Ref joined(known == nullptr || !one ? nullptr : PySequence_Concat(known, one.get()));
    if (!joined || PyDict_SetItem(result.get(), name.get(), joined.get()) != 0) return nullptr;
  }
  return result.release();
}

PyObject* module_kernels_of_halves(PyObject*, PyObject*) {
  Ref names(PyFrozenSet_New(nullptr));
  if (!names) return nullptr;
  for (const KernelEntry& entry : all_kernels()) {
    if (!entry.kernel.halves) continue;
    const Ref name(PyUnicode_FromString(entry.name));
    if (!name || PySet_Add(names.get(), name.get()) != 0) return nullptr;
  }
  return names.release();
}

PyMethodDef module_methods[] = {
    {"set_coerce", set_coerce, METH_O,
     "set_coerce(hook, /)\n--\n\nSet the callable(program, feeds) -> dict of arrays that run uses for feeds it cannot "
     "take as they are. None removes it. Returns the hook set before, or None."},
    {"isa", module_isa, METH_NOARGS, "isa()\n--\n\nThe instruction set of this machine (capped by SARDONYX_ISA)."},
    {"kernels", module_kernels, METH_NOARGS,
     "kernels()\n--\n\nDict of kernel name to the instruction sets it is built for."},
    {"kernels_of_halves", module_kernels_of_halves, METH_NOARGS,
     "kernels_of_halves()\n--\n\nFrozenset of the kernels that take floats of 16 bits."},
    {"pack_trees", pack_trees, METH_VARARGS, kPackTreesDoc},
    {"distinct_rows", distinct_rows, METH_VARARGS, kDistinctRowsDoc},
    {"give_back_memory", give_back_memory, METH_NOARGS,
     "give_back_memory()\n--\n\nHand what was freed back to the system, where the allocator would keep it."},
    {"read_varints", read_varints, METH_VARARGS, kReadVarintsDoc},
    {"hash_texts", hash_texts, METH_O, kHashTextsDoc},
    {"row_maps", row_maps, METH_VARARGS, kRowMapsDoc},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef module_definition = {PyModuleDef_HEAD_INIT,
                                 "sardonyx._native",
                                 "The native core of sardonyx.",
                                 -1,
                                 module_methods,
                                 nullptr,
                                 nullptr,
                                 nullptr,
                                 nullptr};

PyObject* make_module() {
  if (PyArray_ImportNumPyAPI() < 0 || !import_errors()) return nullptr;
  Ref module(PyModule_Create(&module_definition));
  return module && add_program(module.get()) && add_columns(module.get()) ? module.release() : nullptr;
}

}  // namespace
}  // namespace sardonyx::python

PyMODINIT_FUNC PyInit__native() { return sardonyx::python::make_module(); }
