/* SPDX-License-Identifier: Apache-2.0 */
/* A socket as the included program text reads it: to be included behind that. */
#ifndef TCPTOP_FAKE_SOCKET_H
#define TCPTOP_FAKE_SOCKET_H

#define NET_NUMBER 4026531840

static struct fake_object net;

static inline void fake_network(void)
{
	FIELD_OF(u32, &net, NET_INUM) = NET_NUMBER;
}

/* Of a TCP connection by IPv4, to port 80 from the given one. For free(). */
static inline struct fake_object *new_socket(u32 port)
{
	struct fake_object *sk = calloc(1, sizeof *sk);

	FIELD_OF(u16, sk, SK_FAMILY) = FAMILY_INET;
	FIELD_OF(u16, sk, SK_PROTOCOL) = PROTOCOL_TCP;
	FIELD_OF(u16, sk, SK_TYPE) = TYPE_STREAM;
	FIELD_OF(u64, sk, SK_ADDRPAIR) = 0x0100007f0100007f;
	FIELD_OF(u32, sk, SK_PORTPAIR) = port << 16 | 0x5000;
	FIELD_OF(u64, sk, SK_NET) = (u64)&net;
	return sk;
}

#endif
