{
  'targets': [
    {
      'target_name': 'lvsentry',
      'sources': ['arguments.c', 'connector.c', 'descriptor.c', 'message.c', 'module.c', 'origin.c', 'poll.c'],
      'defines': ['NAPI_VERSION=8', '_GNU_SOURCE'],
      'cflags': ['-std=c11', '-O2', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-fvisibility=hidden'],
      'ldflags': ['-Wl,-z,now'],
    },
  ],
}
