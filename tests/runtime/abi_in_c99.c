/* Compiles the two C headers as C99 and pins sizes that are part of the contract. */
#include "runtime/core/dlcc_runtime.h"

typedef char error_is_512_bytes[sizeof(dlcc_error) == 512 ? 1 : -1];
typedef char trailer_is_96_bytes[sizeof(dlcc_artefact_trailer) == DLCC_TRAILER_BYTES ? 1 : -1];

int dlcc_abi_in_c99(dlcc_session* session, dlcc_error* error);
int dlcc_abi_in_c99(dlcc_session* session, dlcc_error* error) { return dlcc_init(session, 1, error) == DLCC_OK; }
