#include "textflag.h"

// func copyPlain16(dst, src *byte, n int) bool
//
// X0 collects what is found: a byte that is a quote or a backslash, or, compared
// as signed, below the space, which the bytes beyond ASCII are as well.
TEXT ·copyPlain16(SB), NOSPLIT, $0-25
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ $0x2222222222222222, AX // quotes
	MOVQ AX, X1
	PUNPCKLQDQ X1, X1
	MOVQ $0x5c5c5c5c5c5c5c5c, AX // backslashes
	MOVQ AX, X2
	PUNPCKLQDQ X2, X2
	MOVQ $0x2020202020202020, AX // spaces
	MOVQ AX, X3
	PUNPCKLQDQ X3, X3
	PXOR X0, X0
	SUBQ $16, CX                 // the last 16 bytes may overlap those before
	XORQ DX, DX

loop:
	CMPQ DX, CX
	JLT  next
	MOVQ CX, DX

next:
	MOVOU (SI)(DX*1), X4
	MOVOU X4, (DI)(DX*1)
	MOVO  X4, X5
	MOVO  X4, X6
	MOVO  X3, X7
	PCMPEQB X1, X5
	PCMPEQB X2, X6
	PCMPGTB X4, X7
	POR  X5, X0
	POR  X6, X7
	POR  X7, X0
	ADDQ $16, DX
	LEAQ -16(DX), BX
	CMPQ BX, CX
	JLT  loop
	PMOVMSKB X0, AX
	TESTL AX, AX
	SETEQ ret+24(FP)
	RET
