// The Python type Program: made of a file's bytes, and what it says about itself. What it computes is in run.cpp.
#include "python/program.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <span>
#include <system_error>
#include <vector>

#include "python/dtypes.h"
#include "python/errors.h"
#include "python/maps.h"
#include "python/ref.h"
#include "python/run.h"
#include "runtime/cpu.h"
#include "runtime/error.h"
#include "runtime/mapping.h"
#include "runtime/threads.h"

namespace sardonyx::python {
namespace {

// ---- making a program ----------------------------------------------------------------------------------------------

// The number NumPy knows a type by; that of bfloat16 is only known once the package ml_dtypes has told NumPy of it.
int typenum_of(DType dtype) {
  if (dtype != DType::bf16) return info(dtype).typenum;
  const Ref package(PyImport_ImportModule("ml_dtypes"));
  const Ref scalar(package ? PyObject_GetAttrString(package.get(), "bfloat16") : nullptr);
  PyArray_Descr* descr = nullptr;
  if (!scalar || PyArray_DescrConverter(scalar.get(), &descr) != NPY_SUCCEED) {
    PyErr_Clear();
    throw Error("the program takes or gives bfloat16, for which the package ml_dtypes is needed; install it");
  }
  const int typenum = descr->type_num;
  Py_DECREF(descr);
  return typenum;
}

std::vector<Port> ports_of(const Program& program, const std::vector<std::int32_t>& slots) {
  std::vector<Port> ports;
  ports.reserve(slots.size());
  for (const std::int32_t number : slots) {
    const Slot& slot = program.slots()[number];
    Port port{nullptr,           slot.tensor.dtype, typenum_of(slot.tensor.dtype), slot.tensor.rank, {},
              slot.tensor.width, slot.tensor.sparse};
    std::copy(std::begin(slot.tensor.dims), std::end(slot.tensor.dims), port.dims);
    port.name = PyUnicode_DecodeUTF8(slot.name.data(), static_cast<Py_ssize_t>(slot.name.size()), nullptr);
    if (port.name == nullptr) throw std::bad_alloc();  // the loader has seen that it is UTF-8
    PyUnicode_InternInPlace(&port.name);
    ports.push_back(port);
  }
  return ports;
}

PyObject* make(PyTypeObject* type, const Mapping& file, int threads, const char* isa) {
  try {
    auto core = std::make_unique<Core>();
    core->program = Program::load(file.bytes, file.owner, capped_isa(isa == nullptr ? "" : isa));
    core->executor = std::make_unique<Executor>(*core->program);
    core->inputs = ports_of(*core->program, core->program->inputs());
    core->outputs = ports_of(*core->program, core->program->outputs());
    core->texts = std::make_unique<TextCache>(core->program->file());
    core->threads = threads > 0 ? threads : hardware_threads();
    auto* self = reinterpret_cast<ProgramObject*>(type->tp_alloc(type, 0));
    if (self == nullptr) return nullptr;
    self->core = core.release();
    return reinterpret_cast<PyObject*>(self);
  } catch (...) {
    return raise_current(program_error);
  }
}

// Read-only buffers (bytes) are used in place; what somebody could still change is copied.
Mapping hold(PyObject* object) {
  auto view = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(object, view.get(), PyBUF_SIMPLE) != 0) return {};
  const std::span bytes(static_cast<const std::byte*>(view->buf), static_cast<std::size_t>(view->len));
  const auto release = [](Py_buffer* held) {
    PyBuffer_Release(held);
    delete held;
  };
  std::shared_ptr<Py_buffer> owner(view.release(), release);
  if (owner->readonly) return {bytes, owner};
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return {{copy->data(), copy->size()}, copy};
}

PyObject* program_from_bytes(PyObject* type, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"buffer", "threads", "isa", nullptr};
  PyObject* buffer = nullptr;
  int threads = 0;
  const char* isa = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|iz", const_cast<char**>(names), &buffer, &threads, &isa)) {
    return nullptr;
  }
  const Mapping file = hold(buffer);
  if (PyErr_Occurred()) return nullptr;
  return make(reinterpret_cast<PyTypeObject*>(type), file, threads, isa);
}

PyObject* program_open(PyObject* type, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"path", "threads", "isa", nullptr};
  PyObject* path = nullptr;
  int threads = 0;
  const char* isa = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|iz", const_cast<char**>(names), PyUnicode_FSConverter, &path,
                                   &threads, &isa)) {
    return nullptr;
  }
  const Ref owned(path);
  Mapping file;
  try {
    file = map_file(PyBytes_AS_STRING(path));
  } catch (const std::system_error& error) {
    errno = error.code().value();
    return PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AS_STRING(path));
  }
  return make(reinterpret_cast<PyTypeObject*>(type), file, threads, isa);
}

PyObject* program_new(PyTypeObject*, PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError, "a Program is made by Program.from_bytes(buffer) or Program.open(path)");
  return nullptr;
}

void program_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<ProgramObject*>(self)->core;
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* program_content(PyObject* self, PyObject*) {
  const std::span<const std::byte> file = core_of(self).program->file();
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(file.data()), static_cast<Py_ssize_t>(file.size()));
}

PyObject* program_set_maps(PyObject* self, PyObject* arguments) {
  Core& core = core_of(self);
  PyObject *name = nullptr, *keys = nullptr;
  if (!PyArg_ParseTuple(arguments, "UO!", &name, &PyTuple_Type, &keys)) return nullptr;
  for (Port& port : core.outputs) {
    if (PyUnicode_Compare(port.name, name) != 0) continue;
    if (port.rank != 1 || port.width != PyTuple_GET_SIZE(keys) || port.sparse || port.keys != nullptr) break;
    port.empty = map_with(keys);
    if (port.empty == nullptr) return nullptr;
    port.keys = Py_NewRef(keys);
    core.gives_maps = true;
    Py_RETURN_NONE;
  }
  PyErr_Format(PyExc_ValueError, "no output %R has a column for each of the keys", name);
  return nullptr;
}

// ---- what a program says about itself ------------------------------------------------------------------------------

PyObject* describe(const std::vector<Port>& ports) {
  Ref result(PyTuple_New(static_cast<Py_ssize_t>(ports.size())));
  for (std::size_t i = 0; result && i < ports.size(); ++i) {
    Ref shape(PyTuple_New(ports[i].rank));
    for (int d = 0; shape && d < ports[i].rank; ++d) {
      PyTuple_SET_ITEM(shape.get(), d, PyLong_FromSsize_t(ports[i].dims[d]));
    }
    PyObject* item = Py_BuildValue("(OsO)", ports[i].name, info(ports[i].dtype).name, shape.get());
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), static_cast<Py_ssize_t>(i), item);
  }
  return result.release();
}

PyObject* program_inputs(PyObject* self, void*) { return describe(core_of(self).inputs); }
PyObject* program_outputs(PyObject* self, void*) { return describe(core_of(self).outputs); }

PyObject* sparse_ones(const std::vector<Port>& ports) {
  Ref names(PyList_New(0));
  for (const Port& port : ports) {
    if (names && port.sparse && PyList_Append(names.get(), port.name) != 0) return nullptr;
  }
  return names ? PyList_AsTuple(names.get()) : nullptr;
}

PyObject* program_sparse_inputs(PyObject* self, void*) { return sparse_ones(core_of(self).inputs); }
PyObject* program_sparse_outputs(PyObject* self, void*) { return sparse_ones(core_of(self).outputs); }

PyObject* program_steps(PyObject* self, void*) {
  const auto& steps = core_of(self).program->steps();
  Ref result(PyTuple_New(static_cast<Py_ssize_t>(steps.size())));
  for (std::size_t i = 0; result && i < steps.size(); ++i) {
    const LoadedStep& step = steps[i];
    PyObject* item = Py_BuildValue("(sss)", step.entry->name, isa_name(step.entry->isa), step.label.c_str());
    if (item == nullptr) return nullptr;
    PyTuple_SET_ITEM(result.get(), static_cast<Py_ssize_t>(i), item);
  }
  return result.release();
}

PyObject* program_metadata(PyObject* self, void*) {
  Ref result(PyDict_New());
  for (const auto& [key, value] : core_of(self).program->metadata()) {
    const Ref k(PyUnicode_FromStringAndSize(key.data(), static_cast<Py_ssize_t>(key.size())));
    const Ref v(PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
    if (!result || !k || !v || PyDict_SetItem(result.get(), k.get(), v.get()) != 0) return nullptr;
  }
  return result.release();
}

PyObject* program_nbytes(PyObject* self, void*) { return PyLong_FromSize_t(core_of(self).program->file().size()); }
PyObject* program_threads(PyObject* self, void*) { return PyLong_FromLong(core_of(self).threads); }
PyObject* program_block_rows(PyObject* self, void*) { return PyLong_FromLongLong(core_of(self).program->block_rows()); }
PyObject* program_isa(PyObject* self, void*) { return PyUnicode_FromString(isa_name(core_of(self).program->isa())); }

PyGetSetDef program_properties[] = {
    {"inputs", program_inputs, nullptr, "Tuple of (name, dtype, shape of a row).", nullptr},
    {"outputs", program_outputs, nullptr, "Tuple of (name, dtype, shape of a row).", nullptr},
    {"sparse_inputs", program_sparse_inputs, nullptr, "Names of the inputs that the program takes as sparse rows.",
     nullptr},
    {"sparse_outputs", program_sparse_outputs, nullptr,
     "Names of the outputs that run(..., sparse=True) gives as CSR matrices.", nullptr},
    {"steps", program_steps, nullptr, "Tuple of (kernel, instruction set of the variant chosen, label).", nullptr},
    {"metadata", program_metadata, nullptr, "A dict of str to str, new with every access.", nullptr},
    {"nbytes", program_nbytes, nullptr, "Size of the file form.", nullptr},
    {"threads", program_threads, nullptr, "The most threads a call uses.", nullptr},
    {"block_rows", program_block_rows, nullptr, "Rows that pass through all steps together.", nullptr},
    {"isa", program_isa, nullptr, "The highest instruction set kernels were chosen from.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMethodDef program_methods[] = {
    {"from_bytes", as_c_function(program_from_bytes), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "from_bytes(buffer, threads=0, isa=None)\n--\n\nLoad a program from its file form; bytes are used in place.\n\n"
     "threads: the most threads a call may use, 0 for all processors.\n"
     "isa: 'generic', 'avx2', 'avx512' or 'neon' caps the instruction set, as does the environment's SARDONYX_ISA."},
    {"open", as_c_function(program_open), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "open(path, threads=0, isa=None)\n--\n\nMap an .sdx file into memory. See from_bytes."},
    {"run", as_c_function(program_run), METH_FASTCALL | METH_KEYWORDS,
     "run(output_names, input_feed, run_options=None, *, sparse=False)\n--\n\n"
     "Compute the named outputs (None or empty: all) as a list of new arrays.\n\n"
     "input_feed: dict of input name to array, (rows, *shape of a row). run_options: None, there for those who come "
     "from ONNX Runtime.\nAny number matrix may be given as a scipy.sparse CSR matrix. sparse: give the outputs in "
     "sparse_outputs as CSR matrices too."},
    {"_run_columns", as_c_function(program_run_columns), METH_FASTCALL,
     "_run_columns(output_names, columns, nulls, /)\n--\n\n"
     "As run, for columns: arrays, lists, Columns; a tuple of them for a matrix. None if they do not fit exactly.\n\n"
     "nulls: None, or bytes: for each input, 1 if a null among its texts stands for NaN, and 0 if for None."},
    {"_run_table", as_c_function(program_run_table), METH_FASTCALL,
     "_run_table(output_names, table, features, nulls, /)\n--\n\n"
     "As _run_columns, for a table with __arrow_c_stream__: of each input the column of its name, or all `features` of "
     "the one matrix. None if it lacks a column, or they do not fit exactly."},
    {"content", program_content, METH_NOARGS, "content()\n--\n\nThe bytes of the .sdx file that this program is."},
    {"_set_maps", program_set_maps, METH_VARARGS,
     "_set_maps(output, keys, /)\n--\n\n"
     "From now on run gives an output of two dimensions as a list of one dict for each row, from `keys` to the row's "
     "elements."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot program_slots[] = {
    {Py_tp_doc,
     const_cast<char*>("A compiled model, ready to run. Made by from_bytes or open; safe to share by threads.")},
    {Py_tp_new, reinterpret_cast<void*>(program_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(program_dealloc)},
    {Py_tp_methods, program_methods},
    {Py_tp_getset, program_properties},
    {0, nullptr},
};

PyType_Spec program_spec = {"sardonyx._native.Program", sizeof(ProgramObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, program_slots};

}  // namespace

bool add_program(PyObject* module) {
  const Ref type(PyType_FromSpec(&program_spec));
  return type && PyModule_AddObjectRef(module, "Program", type.get()) == 0;
}

}  // namespace sardonyx::python
