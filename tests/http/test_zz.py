import time
async def test_a(station):
    t=time.time(); p=await station.person("cio@seoul.demo"); print("person", time.time()-t)
    r=await station.ask("{viewer{kind} cities(first:1){totalCount}}", caller=p); print(r.text, r.headers)
    t=time.time(); p=await station.program("seoul"); print("prog", time.time()-t)
    r=await station.ask("{viewer{kind scopes}}", caller=p); print(r.text, r.headers.get("server-timing"))
    t=time.time(); f=station.fingerprint(); print("fp", time.time()-t, len(f))
async def test_b(station): pass
async def test_c(standing): pass
