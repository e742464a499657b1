/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shares.c - spends known shares of its time in its functions, for those who sample it
 *
 *	shares work N      N rounds of work: leaf_a 5 parts (by middle), leaf_b 3 (by middle),
 *	                   leaf_c 2 (20 levels deep), and a sort whose comparisons are leaf_b's
 *	shares threads N   "worker-a" runs leaf_a and "worker-b" leaf_b, N rounds each
 *	shares wait N      N times 5 ms of sleep in waiter()
 *	shares for-ever    work without an end
 *
 * Begins when a line, or the end, comes on standard input.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PART	100000u
#define NUMBERS 1024

/* No function becomes another one's part or copy. */
#define APART __attribute__((noipa))

static volatile uint64_t sum;

/* What calls nothing has no frame, whatever the compiler is told. */
static APART void nothing(void)
{
	sum++;
}

#define SPIN(name)                               \
	static APART void name(uint64_t n)       \
	{                                        \
		nothing();                       \
		for (uint64_t i = 0; i < n; i++) \
			sum += i;                \
		sum++;                           \
	}
SPIN(leaf_a)
SPIN(leaf_b)
SPIN(leaf_c)

static APART void deep(unsigned levels, uint64_t n)
{
	if (levels > 0)
		deep(levels - 1, n);
	else
		leaf_c(n);
	sum++;
}

static APART void middle(uint64_t part)
{
	leaf_a(5 * part);
	leaf_b(3 * part);
	sum++;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	leaf_b(10);
	return (x > y) - (x < y);
}

/* What calls back stands in a library without frame pointers. */
static APART void sorter(void)
{
	static int number[NUMBERS];

	for (int i = 0; i < NUMBERS; i++)
		number[i] = (i * 7919) % NUMBERS;
	qsort(number, NUMBERS, sizeof(number[0]), compare);
	sum++;
}

/*
 * Rounds of half to one and a half times their length: of rounds of one length a steady sampler
 * might always hit the same places.
 */
static APART void work(void)
{
	static uint64_t random = 1;
	uint64_t part;

	random = random * 6364136223846793005u + 1442695040888963407u;
	part = PART / 2 + (random >> 33) % PART;
	middle(part);
	deep(20, 2 * part);
	sorter();
	sum++;
}

static APART void waiter(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	nanosleep(&pause, NULL);
	sum++;
}

static unsigned long rounds;

static void *run_a(void *arg)
{
	pthread_setname_np(pthread_self(), "worker-a");
	for (unsigned long i = 0; i < rounds; i++)
		leaf_a(5 * PART);
	return arg;
}

static void *run_b(void *arg)
{
	pthread_setname_np(pthread_self(), "worker-b");
	for (unsigned long i = 0; i < rounds; i++)
		leaf_b(5 * PART);
	return arg;
}

static int run_threads(void)
{
	pthread_t a, b;

	if (pthread_create(&a, NULL, run_a, NULL) != 0 ||
	    pthread_create(&b, NULL, run_b, NULL) != 0)
		return 1;
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	(void)getchar();
	if (strcmp(what, "threads") == 0)
		return run_threads();
	for (unsigned long i = 0; i < rounds && strcmp(what, "work") == 0; i++)
		work();
	for (unsigned long i = 0; i < rounds && strcmp(what, "wait") == 0; i++)
		waiter();
	while (strcmp(what, "for-ever") == 0)
		work();
	return 0;
}
