/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names/services.h"

static struct service *read_text(const char *text, size_t *count)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct service *services = services_read(file, count);

	fclose(file);
	return services;
}

static void tcp_services_are_read(void **state)
{
	static const char text[] = "# comment 1/tcp\n\n"
	                           "https\t443/tcp\thttp-alt # secure\n"
	                           "https\t443/udp\n"
	                           "ssh 22/tcp\n"
	                           "other 22/tcp\n"
	                           "  domain   53/tcp nameserver\n"
	                           "zero 0/tcp\nbig 65536/tcp\nnone /tcp\nsctp 9/sctp\nword\n"
	                           "averylongnamethatdoesnotfit 7/tcp\n"
	                           "last 65535/tcp";
	size_t count;
	struct service *services = read_text(text, &count);

	(void)state;
	assert_int_equal(count, 4);
	assert_int_equal(services[0].port, 22);
	assert_string_equal(services[0].name, "ssh");
	assert_int_equal(services[1].port, 53);
	assert_string_equal(services[1].name, "domain");
	assert_string_equal(services[2].name, "https");
	assert_int_equal(services[3].port, 65535);
	free(services);
	assert_null(read_text("\n", &count));
	assert_int_equal(count, 0);
}

static void many_services_are_read(void **state)
{
	static char text[65536 * 20];
	size_t used = 0, count;

	(void)state;
	for (unsigned port = 65535; port > 0; port--)
		used += (size_t)sprintf(text + used, "s%u %u/tcp\n", port, port);
	struct service *services = read_text(text, &count);

	assert_int_equal(count, 65535);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(services[i].port, i + 1);
	free(services);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_services_are_read),
		cmocka_unit_test(many_services_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
