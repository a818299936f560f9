# What LLVM's assembler takes beside the spellings of the disassembler.
	r1=1; r1+=r2 // two on a line
	R1 = 0x10
	W2 = 'a'
	r3 = 0b101
	r4 = 017
	r1 = 1 << 4
	r1 = 4294967295
	r1 = 0xffffffff
	w1 = -2147483648
	r1 = 18446744073709551615 ll
	r1 = -1 ll
	r1 = 0x8000000000000000 ll
	r1 += -8
	r0 = *(u8*)(r1+1)
	r0 = *( u16 * )( r1 - 2 )
	w0 = *(u32 *)(r1 + 0)
	w0 = *(u8 *)(r1 + 4)
	*(u32 *)(r1 + 0) = w5
	*(u16 *)(r1 + 2) = r5
	*(u64 *)(r10 - 8) = -1
	lock *(u32 *)(r1 + 0) += w2
	lock *(u32 *)(r1 + 0) += r2
	w2 = atomic_fetch_xor((u32 *)(r1 + 0), w2)
	r0 = *(u16 *)skb[r1]
	r0 = *(u32 *)skb[26]
start:
	if r1 == 0xffffffff goto done
	if w1 s<= w2 goto start
	if r1 & 7 goto +1
	goto 5
	gotol start
	may_goto done
1:
	if r1 != r2 goto 1b
	goto 1f
	call 7
	call +7
1:	goto 1b
	ld_pseudo r1, 2, 5
	r3 = (s8)r4
	w3 = (s16)w4
	r3 s/= -3
	w3 s%= w4
	r1 = -r1
	w1 = -w1
	r5 = le16 r5
	r5 = bswap64 r5
	callx r3
	r1 = addr_space_cast(r2, 1, 0)
done: exit
