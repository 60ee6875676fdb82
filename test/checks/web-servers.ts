/** Real gRPC and WebSocket servers, in Debian's Python. */
import { spawnSync } from 'node:child_process';

export const PYTHON = '/usr/bin/python3';

/** Why a module's tests are skipped, or false. */
export function missingModule(name: string): string | false {
  return spawnSync(PYTHON, ['-c', `import ${name}`]).status !== 0 && `python3-${name} is not installed`;
}

/**
 * The health service by grpcio and protobuf; arguments: the plain port, the TLS port, key and certificate. The messages
 * are built by protobuf from their description in grpc/health/v1/health.proto.
 */
export const GRPC_SERVER = `
import sys, grpc
from concurrent import futures
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
F = descriptor_pb2.FieldDescriptorProto
file = descriptor_pb2.FileDescriptorProto(name='health.proto', package='grpc.health.v1', syntax='proto3')
request = file.message_type.add(name='HealthCheckRequest')
request.field.add(name='service', number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
response = file.message_type.add(name='HealthCheckResponse')
kinds = response.enum_type.add(name='ServingStatus')
for number, name in enumerate(['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']):
    kinds.value.add(name=name, number=number)
response.field.add(name='status', number=1, type=F.TYPE_ENUM, label=F.LABEL_OPTIONAL,
                   type_name='.grpc.health.v1.HealthCheckResponse.ServingStatus')
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
factory = message_factory.MessageFactory(pool)
Request = factory.GetPrototype(pool.FindMessageTypeByName('grpc.health.v1.HealthCheckRequest'))
Response = factory.GetPrototype(pool.FindMessageTypeByName('grpc.health.v1.HealthCheckResponse'))
STATES = {'': 1, 'shop.Basket': 1, 'shop.Till': 2, 'shop.Odd': 3, 'žluť': 1, 'x' * 200: 1}

def check(asked, context):
    if asked.service == 'slow':
        import time
        time.sleep(3)
    if asked.service not in STATES:
        context.abort(grpc.StatusCode.NOT_FOUND, 'no such service: ' + asked.service)
    return Response(status=STATES[asked.service])

handler = grpc.unary_unary_rpc_method_handler(check, Request.FromString, Response.SerializeToString)
server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('grpc.health.v1.Health', {'Check': handler}),))
server.add_insecure_port('127.0.0.1:' + sys.argv[1])
key, cert = (open(path, 'rb').read() for path in sys.argv[3:5])
server.add_secure_port('127.0.0.1:' + sys.argv[2], grpc.ssl_server_credentials([(key, cert)]))
server.start()
server.wait_for_termination()
`;

/** Arguments: the plain port, the TLS port, and a PEM file with key and certificate. */
export const WEBSOCKET_SERVER = `
import asyncio, http, ssl, sys
import websockets

async def talk(socket):
    await socket.send('hello')
    async for message in socket:
        await socket.send(message)

async def filter(path, headers):
    if path == '/secret' and headers.get('Authorization') != 'Basic cHJvYmU6czNjcmV0':
        return http.HTTPStatus.UNAUTHORIZED, [], b'no'

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    options = dict(subprotocols=['chat', 'mqtt'], process_request=filter)
    async with websockets.serve(talk, '127.0.0.1', int(sys.argv[1]), **options):
        async with websockets.serve(talk, '127.0.0.1', int(sys.argv[2]), ssl=context, **options):
            await asyncio.Future()

asyncio.run(main())
`;
