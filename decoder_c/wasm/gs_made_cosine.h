/* The decoder's cosine, which the module makes instead of carrying it. */
#ifndef GS_MADE_COSINE_H
#define GS_MADE_COSINE_H

/* Before any decoder renders. */
void gs_make_cosine(void);

#endif
