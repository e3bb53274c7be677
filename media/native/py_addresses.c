/* media._native.Addresses: the plane's address table, for tests. Its owners are numbers above 0. */
#include <string.h>

#include "addresses.h"
#include "module.h"
#include "py_values.h"

typedef struct {
    PyObject_HEAD
    sl_addresses table;
} AddressesObject;

static PyObject *addresses_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"seed", "limit", NULL};
    Py_buffer seed;
    Py_ssize_t limit;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*n:Addresses", names, &seed, &limit))
        return NULL;
    AddressesObject *self = NULL;
    if (seed.len != SL_ADDRESSES_SEED || limit < 0)
        PyErr_SetString(PyExc_ValueError, "a seed has 16 bytes, a limit is no less than 0");
    else
        self = (AddressesObject *)type->tp_alloc(type, 0);
    if (self && !sl_addresses_init(&self->table, seed.buf, (size_t)limit)) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    PyBuffer_Release(&seed);
    return (PyObject *)self;
}

static void addresses_dealloc(AddressesObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    sl_addresses_free(&self->table);
    type->tp_free(self);
    Py_DECREF(type);
}

static bool read_key(PyObject *address, unsigned ssrc, sl_address_key *key)
{
    sl_address read;
    if (!sl_py_address(address, &read))
        return false;
    *key = sl_address_key_of(&read.name.any);
    key->ssrc = ssrc;
    return true;
}

/* Owners are kept as pointers that nobody follows. */
static void *owner_of(Py_ssize_t number)
{
    return (void *)(uintptr_t)number;
}

static PyObject *addresses_put(AddressesObject *self, PyObject *args)
{
    PyObject *address;
    Py_ssize_t owner;
    unsigned ssrc = 0;
    sl_address_key key;
    if (!PyArg_ParseTuple(args, "On|I:put", &address, &owner, &ssrc) ||
        !read_key(address, ssrc, &key))
        return NULL;
    return PyBool_FromLong(sl_addresses_put(&self->table, &key, owner_of(owner)));
}

static PyObject *addresses_remove(AddressesObject *self, PyObject *args)
{
    PyObject *address;
    Py_ssize_t owner;
    unsigned ssrc = 0;
    sl_address_key key;
    if (!PyArg_ParseTuple(args, "On|I:remove", &address, &owner, &ssrc) ||
        !read_key(address, ssrc, &key))
        return NULL;
    sl_addresses_remove(&self->table, &key, owner_of(owner));
    Py_RETURN_NONE;
}

static PyObject *addresses_get(AddressesObject *self, PyObject *args)
{
    PyObject *address;
    unsigned ssrc = 0;
    sl_address_key key;
    if (!PyArg_ParseTuple(args, "O|I:get", &address, &ssrc) || !read_key(address, ssrc, &key))
        return NULL;
    void *owner = sl_addresses_get(&self->table, &key);
    if (owner == NULL)
        Py_RETURN_NONE;
    return PyLong_FromVoidPtr(owner);
}

static Py_ssize_t addresses_length(AddressesObject *self)
{
    return (Py_ssize_t)self->table.count;
}

static PyMethodDef methods[] = {
    {"put", (PyCFunction)addresses_put, METH_VARARGS, "(address, owner, ssrc=0): whether there was room."},
    {"remove", (PyCFunction)addresses_remove, METH_VARARGS, "(address, owner, ssrc=0)"},
    {"get", (PyCFunction)addresses_get, METH_VARARGS, "(address, ssrc=0): the owner, or None."},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Who is at an address."},
    {Py_tp_new, addresses_new},
    {Py_tp_dealloc, addresses_dealloc},
    {Py_tp_methods, methods},
    {Py_sq_length, addresses_length},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "media._native.Addresses",
    .basicsize = sizeof(AddressesObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int sl_add_addresses(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int added = PyModule_AddObjectRef(module, "Addresses", type);
    Py_DECREF(type);
    return added;
}
