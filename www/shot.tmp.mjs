import { chromium } from '@playwright/test';
import http from 'http'; import fs from 'fs'; import path from 'path';
const root='/work/wt/lead/dist'; const types={'.html':'text/html','.js':'text/javascript','.css':'text/css','.wasm':'application/wasm','.json':'application/json'};
const srv=http.createServer((q,s)=>{let p=path.join(root,new URL(q.url,'http://x').pathname); if(p.endsWith('/'))p+='index.html'; if(!fs.existsSync(p)){s.writeHead(404);return s.end();} s.writeHead(200,{'content-type':types[path.extname(p)]??'application/octet-stream'}); s.end(fs.readFileSync(p));}).listen(0);
await new Promise(r=>srv.once('listening',r));
const base=`http://127.0.0.1:${srv.address().port}/`;
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--headless=new','--no-sandbox','--use-angle=swiftshader','--use-vulkan=swiftshader','--enable-features=Vulkan','--enable-unsafe-webgpu','--disable-background-networking']});
const backend=process.argv[2]??'cpu', scheme=process.argv[3]??'dark', out=process.argv[4]??'/tmp/shot', secs=+(process.argv[5]??12);
const [w,h]=(process.argv[6]??'1440x900').split('x').map(Number);
const page=await b.newPage({viewport:{width:w,height:h},colorScheme:scheme});
page.on('console',m=>console.log('console',m.type(),m.text())); page.on('pageerror',e=>console.log('pageerror',e.message));
await page.goto(base+`?backend=${backend}`);
try{ await page.waitForFunction(()=>globalThis.convscope?.ready&&true,{timeout:20000}); await page.evaluate(()=>convscope.ready); }catch(e){console.log(String(e))}
console.log(JSON.stringify(await page.evaluate(()=>convscope.info()).catch(String)));
await page.screenshot({path:out+'-0.png'});
console.log(JSON.stringify(await page.evaluate(async(s)=>{const t=convscope.train({seed:1,steps:100000}).catch(e=>e.message); await new Promise(r=>setTimeout(r,s*1000)); await convscope.pause(); return await t;},secs).catch(String)));
await page.waitForTimeout(1000);
await page.screenshot({path:out+'-1.png'});
await b.close(); srv.close();
