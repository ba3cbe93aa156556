dnl MM_ADD_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE when the compiler takes it without a warning.
AC_DEFUN([MM_ADD_CFLAG], [
  mm_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_MSG_CHECKING([whether $CC accepts $2])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
  CFLAGS=$mm_saved_cflags
])

dnl MM_C11: the language the sources are written in.
AC_DEFUN([MM_C11], [
  MM_CFLAGS="-std=c11"
  AC_SUBST([MM_CFLAGS])
  AC_SUBST([MM_LDFLAGS])
])

dnl MM_WARNINGS: the warnings of the style, and --enable-werror.
AC_DEFUN([MM_WARNINGS], [
  m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
    -Wpointer-arith -Wwrite-strings -Wundef -Wvla], [MM_ADD_CFLAG([MM_CFLAGS], flag)])
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
    [AS_IF([test "x$enableval" = xyes], [MM_CFLAGS="$MM_CFLAGS -Werror"])])
])

dnl MM_HARDENING: what the compiler and linker offer against memory errors; off with --disable-hardening.
AC_DEFUN([MM_HARDENING], [
  AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [leave hardening flags out])],
    [], [enable_hardening=yes])
  AS_IF([test "x$enable_hardening" = xyes && test "x$with_sanitizer" = x], [
    m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
      -fno-semantic-interposition], [MM_ADD_CFLAG([MM_CFLAGS], flag)])
    MM_ADD_CFLAG([MM_CFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -O2])
    MM_ADD_CFLAG([MM_LDFLAGS], [[-Wl,-z,relro]])
    MM_ADD_CFLAG([MM_LDFLAGS], [[-Wl,-z,now]])
    MM_ADD_CFLAG([MM_LDFLAGS], [[-Wl,-z,noexecstack]])
  ])
])

dnl MM_SANITIZER: --with-sanitizer=address,undefined (or thread) for the checking builds.
AC_DEFUN([MM_SANITIZER], [
  AC_ARG_WITH([sanitizer], [AS_HELP_STRING([--with-sanitizer=LIST], [compile with -fsanitize=LIST])],
    [MM_CFLAGS="$MM_CFLAGS -fsanitize=$withval -fno-omit-frame-pointer -fno-sanitize-recover=all"
     MM_LDFLAGS="$MM_LDFLAGS -fsanitize=$withval"])
])
